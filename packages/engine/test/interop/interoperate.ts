import { TLSSocket } from 'node:tls';
import type { Role } from './meeting';
import { meet } from './meeting';
import type { Implementation } from './peers/peer';
import type { Mode } from './scenarios';
import { DEFLATED, PLAIN, SECURE } from './scenarios';

/** Compressing 16 MiB takes its time on a busy machine, in milliseconds. */
const PATIENCE = 60_000;

/** Defines the tests of all scenarios, both ways where the other implementation has both ends. */
export function interoperate(implementation: Implementation): void {
  play(implementation, implementation.deflate === 'no' ? [PLAIN] : [PLAIN, ...DEFLATED]);
}

/** Defines the tests of the scenarios over TLS, both ways where the other implementation has both ends. */
export function interoperateOverTls(implementation: Implementation): void {
  play(implementation, [SECURE]);
}

function play(implementation: Implementation, modes: readonly Mode[]): void {
  const { name, connect, listen } = implementation;
  const roles: [Role, string][] = [];
  if (connect !== undefined) roles.push(['server', `our server, the client of ${name}`]);
  if (listen !== undefined) roles.push(['client', `our client, the server of ${name}`]);
  for (const [role, title] of roles) {
    for (const mode of modes)
      describe(`${title}, ${mode.name}`, () => playIn(implementation, role, mode));
  }
}

function playIn(implementation: Implementation, role: Role, mode: Mode): void {
  const { secure, perMessageDeflate, scenarios } = mode;
  const suiting = scenarios.filter(({ suits }) => suits?.(implementation) ?? true);
  test.each(suiting)(
    '$name',
    async ({ options, run }) => {
      const meeting = await meet(implementation, role, { secure, perMessageDeflate, ...options });
      expect(meeting.ours.extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '');
      expect(meeting.ours._socket instanceof TLSSocket).toBe(secure);
      await run(meeting, implementation);
    },
    PATIENCE,
  );
}
