import { interoperate } from './interoperate';
import { undici } from './peers/undici';

interoperate(undici);
