import { interoperate } from './interoperate';
import { websocket } from './peers/websocket';

interoperate(websocket);
