import { contract } from '@upwire/adapter-contract';
import { harnesses } from './support/harness';

for (const harness of harnesses) contract(harness);
