import { fayeWebsocket } from './peers/faye-websocket';
import { interoperate } from './scenarios';

interoperate(fayeWebsocket);
