import * as imported from '@upwire/express';

const loaded: unknown = imported;
if (loaded === undefined) throw new Error('nothing is exported');
