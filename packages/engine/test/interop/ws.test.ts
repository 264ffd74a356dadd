import { ws } from './peers/ws';
import { interoperate } from './scenarios';

interoperate(ws);
