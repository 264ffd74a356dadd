import { undici } from './peers/undici';
import { interoperate } from './scenarios';

interoperate(undici);
