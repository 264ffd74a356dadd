import { receiveByBoth } from '../../support/receivers';
import type { Choices } from '../choices';
import { cutBytes, frameBytes } from '../frames';
import type { Target } from '../target';
import { expectSame } from '../target';

/** Behind them no header ends before its masking key: ws judges a length that it has read so far. */
const PADDING = Buffer.alloc(16);

/** The same bytes are the same events as in `ws`, but for what is listed in docs/migrating/ws.md. */
export const receiver: Target = {
  name: 'receiver',
  share: 5,
  async run(choices: Choices): Promise<void> {
    const isServer = !choices.oneIn(2);
    const compression = choices.oneIn(2);
    const options = {
      isServer,
      maxPayload: choices.pick([0, 0, 10, 1000]),
      maxFragments: choices.pick([0, 0, 1, 3]),
      skipUTF8Validation: choices.oneIn(4),
    };
    const bytes = Buffer.concat([frameBytes(choices, { masked: isServer, compression }), PADDING]);
    const { theirs, ours } = await receiveByBoth({
      options,
      compression,
      pieces: cutBytes(choices, bytes),
    });
    expectSame('beside ws', ours, theirs);
  },
};
