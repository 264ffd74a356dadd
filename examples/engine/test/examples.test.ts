import { join } from 'node:path';
import { testPrograms } from './programs';

testPrograms(join(__dirname, '..'));
