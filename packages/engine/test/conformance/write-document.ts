/** Writes `docs/conformance.md`; started by `npm run conformance`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conformanceDocument } from './document';

writeFileSync(join(__dirname, '../../../../docs/conformance.md'), conformanceDocument());
