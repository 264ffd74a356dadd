import { interoperate } from './interoperate';
import { ws } from './peers/ws';

interoperate(ws);
