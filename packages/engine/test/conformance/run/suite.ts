/** The table as tests of one link. */
import type { Conversation, Role } from '../case';
import { encode, ROLES } from '../case';
import type { ServerHandshake, ServerKind } from '../handshake-case';
import { askedByClients, askedOfServers, conversations } from '../table';
import type { Chunking } from './chunks';
import { CHUNKINGS } from './chunks';
import type { Side } from './converse';
import { converse, roleOf } from './converse';
import { askClient, askServer } from './handshake';
import type { Link } from './links';

/** Beyond so many bytes a case is not sent cut in this way. */
export interface Thrift {
  readonly bytes: number;
  readonly random: number;
}

function lengthOf({ steps }: Conversation, role: Role): number {
  let length = 0;
  for (const { peer } of steps) {
    if (peer === undefined || peer === 'end') continue;
    for (const sent of peer) length += encode(sent, role).length;
  }
  return length;
}

function chunkingsOf(conversation: Conversation, role: Role, thrift: Thrift): Chunking[] {
  const length = lengthOf(conversation, role);
  return CHUNKINGS.filter((chunking) => chunking === 'whole' || length <= thrift[chunking]);
}

/** Runs every conversation of the table over a link. */
export function conversationTests(
  openLink: () => Promise<Link>,
  sides: readonly Side[],
  thrift: Thrift,
): void {
  let link: Link;
  beforeAll(async () => {
    link = await openLink();
  });
  afterAll(() => link.close());

  describe.each(conversations)('$name', ({ cases }) => {
    const rows = sides.flatMap((side) =>
      cases
        .filter(({ roles = ROLES }) => roles.includes(roleOf(side)))
        .map((conversation) => ({ side, title: conversation.id, conversation })),
    );
    test.each(rows)('$side: $title', async ({ side, conversation }) => {
      for (const chunking of chunkingsOf(conversation, roleOf(side), thrift)) {
        const { expected, actual } = await converse(link, conversation, side, chunking);
        expect({ chunking, outcomes: actual }).toEqual({ chunking, outcomes: expected });
      }
    });
  });
}

const KINDS: readonly ServerKind[] = ['server', 'gateway'];

/** Which of an answer's headers the case is about. */
function headersIn({ headers = {} }: ServerHandshake, answer: Record<string, string | null>) {
  return Object.fromEntries(Object.keys(headers).map((name) => [name, answer[name] ?? null]));
}

/** Runs every handshake of the table over a link. */
export function handshakeTests(
  openLink: () => Promise<Link>,
  chunkings: readonly Chunking[],
): void {
  let link: Link;
  beforeAll(async () => {
    link = await openLink();
  });
  afterAll(() => link.close());

  describe.each(askedOfServers)('$name', ({ cases }) => {
    const rows = cases.flatMap((handshake) =>
      KINDS.flatMap((kind) => {
        const status = handshake.status[kind];
        return status === undefined ? [] : [{ kind, title: handshake.id, handshake, status }];
      }),
    );
    test.each(rows)('$kind: $title', async ({ kind, handshake, status }) => {
      const { headers = {} } = handshake;
      for (const chunking of chunkings) {
        const answer = await askServer(link, kind, handshake, chunking);
        const about = headersIn(handshake, answer.headers);
        const expected = { chunking, status, headers, ended: status !== 101 };
        expect({ ...answer, chunking, headers: about }).toEqual(expected);
      }
    });
  });

  describe.each(askedByClients)('$name', ({ cases }) => {
    test.each(cases.map((handshake) => ({ title: handshake.id, handshake })))(
      '$title',
      async ({ handshake }) => {
        const { outcome } = handshake;
        const end = 'error' in outcome ? ['close 1006'] : [];
        for (const chunking of chunkings) {
          const result = await askClient(link, handshake, chunking);
          expect({ chunking, ...result }).toEqual({ chunking, outcome, missing: [], end });
        }
      },
    );
  });
}
