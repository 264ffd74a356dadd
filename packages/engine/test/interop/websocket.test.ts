import { websocket } from './peers/websocket';
import { interoperate } from './scenarios';

interoperate(websocket);
