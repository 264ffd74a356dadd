import * as imported from '@upwire/engine';

const loaded: unknown = imported;
if (loaded === undefined) throw new Error('nothing is exported');
