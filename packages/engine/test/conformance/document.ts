/** `docs/conformance.md`, made of the table. */
import type { Conversation, Step } from './case';
import { showSent } from './case';
import { standards } from './clauses';
import type { Clause } from './clauses/clause';
import type { ClientHandshake, ServerHandshake } from './handshake-case';
import type { Group } from './table';
import { askedByClients, askedOfServers, conversations } from './table';

interface AnyCase {
  readonly id: string;
  readonly clauses: readonly string[];
}

export const allCases: readonly AnyCase[] = [
  ...conversations,
  ...askedOfServers,
  ...askedByClients,
].flatMap(({ cases }): readonly AnyCase[] => cases);

const INTRODUCTION = `# Conformance

<!-- Made by \`npm run conformance\` of packages/engine/test/conformance. Change that, not this file. -->

What RFC 6455 (WebSocket), RFC 7692 (permessage-deflate) and their errata ask of a server and of a client, and the test of each
clause. The first part lists the clauses in our words, the second the cases: bytes in, bytes out. The tests run this very
table, and one of them fails where this file is not what the table makes.

    npm test -- packages/engine/test/conformance                  # what CI runs
    UPWIRE_LONG=1 npm test -- packages/engine/test/conformance    # everything; half an hour or so

- Each case is run over sockets in memory, over TCP and over TLS; a conversation for the roles that it names, and as a server
  \`WebSocketServer\` and, in memory, the gateway in front of the adapters.
- In memory each is run three times: its bytes whole, one by one (of long payloads, both ends), and cut anywhere (seeded). Over
  TCP the short ones are cut, too; over TLS they are with \`UPWIRE_LONG=1\`.
- A row is one exchange: what the peer sends, and then exactly what comes back. In memory it is seen that nothing comes
  before a row's outcome is due, so that what has to fail at a byte fails at that byte and not later or earlier.
- The application under test sends every message back. A case that does not end by itself ends with a close frame, which is
  answered: the connection is still of use.
- The peer looks at each frame that it reads: its length has as few bytes as it needs, it is masked if and only if a
  client has sent it, and no reserved bit is set but RSV1, where compression was agreed on.

Two parts of the suite have more data than a table can show: \`compression.test.ts\` sends messages of 16 B to 128 KiB
through windows of 8 to 15 bits with and without context takeover, and \`sizes.test.ts\` messages up to 16 MiB in fragments of
64 B and more. CI runs them with fewer messages; with \`UPWIRE_LONG=1\` there are 1,000 of each.

`;

/** Nothing may end a cell of a table early. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\r\n', ' ⏎ ').replaceAll('<', '&lt;');
}

/** Characters that a reader cannot see, or that files of text should not have. */
const UNSEEN = /[\p{Cc}\p{Cn}\p{Co}\p{Cf}]/gu;

function visible(text: string): string {
  return text.replace(UNSEEN, (found) => `\\u{${found.codePointAt(0)?.toString(16)}}`);
}

function code(hidden: string): string {
  const text = visible(hidden);
  return text === '' ? '' : `\`${text.replaceAll('|', '\\|').replaceAll('`', "'")}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

// ---- clauses

function howMet({ id, elsewhere = [], note }: Clause): string {
  const count = allCases.filter(({ clauses }) => clauses.includes(id)).length;
  const met = [
    ...(count > 0 ? [`${count} ${count === 1 ? 'case' : 'cases'}`] : []),
    ...elsewhere.map(({ file }) => `[${file}](../packages/engine/test/${file})`),
  ].join(', ');
  return [met, note ?? ''].filter((text) => text !== '').join('. ');
}

function clauseTable(clauses: readonly Clause[]): string {
  return table(
    ['Clause', 'Level', 'Role', 'What it asks', 'Tests'],
    clauses.map((clause) => [
      clause.id,
      clause.level,
      clause.role,
      cell(clause.says),
      howMet(clause),
    ]),
  );
}

// ---- cases

function conversationRows({
  early = [],
  id,
  clauses,
  title,
  roles = ['server', 'client'],
  deflate,
  steps,
}: Conversation): string[][] {
  const about = deflate === undefined ? title : `${title} (\`${deflate}\`)`;
  return steps
    .slice(0, SHOWN_STEPS)
    .map((step, index) => [
      index === 0 ? id : '',
      index === 0 ? clauses.join('; ') : '',
      index === 0 ? roles.join(', ') : '',
      index === 0 ? cell(about) : '',
      code(index === 0 && early.length > 0 ? `101, ${showSent(early)}` : showIn(step)),
      code((step.wire ?? []).slice(0, SHOWN_STEPS).join(', ')),
      code((step.told ?? []).slice(0, SHOWN_STEPS).join(', ')),
    ]);
}

/** Cases of many steps like each other need not be shown whole. */
const SHOWN_STEPS = 6;

function showIn({ peer, app }: Step): string {
  if (peer === 'end') return 'the end of TCP';
  return [app?.text, peer === undefined ? undefined : showSent(peer.slice(0, SHOWN_STEPS))]
    .filter((text) => text !== undefined)
    .join(', ');
}

function conversationTable({ title, cases }: Group<Conversation>): string {
  const head = ['Id', 'Clauses', 'Role', 'Case', 'In', 'Out', 'The application'];
  return `### ${title}\n\n${table(head, cases.flatMap(conversationRows))}`;
}

const COMMON = new Set(
  'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13'.split(
    '\r\n',
  ),
);

const LONGEST_LINE = 100;

/** The lines of a request that are not those of every request. */
function showRequest(request: string): string {
  return request
    .split('\r\n')
    .filter((line) => line !== '' && !COMMON.has(line))
    .map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, 20)}…` : line))
    .join(' ⏎ ');
}

function serverTable({ title, cases }: Group<ServerHandshake>): string {
  const rows = cases.map(({ id, clauses, title: about, request, status, headers = {} }) => [
    id,
    clauses.join('; '),
    cell(about),
    code(showRequest(request)),
    [...new Set(Object.values(status))].join(' / '),
    code(
      Object.entries(headers)
        .flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]))
        .join(' ⏎ '),
    ),
  ]);
  const head = ['Id', 'Clauses', 'Case', 'In, beside what each request has', 'Status', 'Out'];
  return `### ${title}\n\n${table(head, rows)}`;
}

function clientTable({ title, cases }: Group<ClientHandshake>): string {
  const rows = cases.map(({ id, clauses, title: about, answer = [], outcome }) => [
    id,
    clauses.join('; '),
    cell(about),
    code(answer.join(' ⏎ ')),
    'error' in outcome ? code(`error ${outcome.error}`) : 'open',
  ]);
  const head = ['Id', 'Clauses', 'Case', 'In', 'Outcome'];
  return `### ${title}\n\n${table(head, rows)}`;
}

export function conformanceDocument(): string {
  const counted = `${standards.flatMap(({ clauses }) => clauses).length} clauses, ${allCases.length} cases.`;
  return `${[
    INTRODUCTION + counted,
    '## Clauses',
    ...standards.map(({ title, clauses }) => `### ${title}\n\n${clauseTable(clauses)}`),
    '## Cases',
    'Bytes are shown as a server sends them; a client masks them. `…` behind a name is a frame without FIN.',
    ...conversations.map(conversationTable),
    'Where two statuses are given, the first is that of `WebSocketServer`, the second that of the adapters.',
    ...askedOfServers.map(serverTable),
    ...askedByClients.map(clientTable),
  ].join('\n\n')}\n`;
}
