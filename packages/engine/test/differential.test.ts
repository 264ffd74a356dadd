import { closingDifferences, closings, serverClosings } from './differential/closing';
import { compressionDifferences, compressions } from './differential/compression';
import { handshakeDifferences, handshakes } from './differential/handshake';
import { listening, listeningDifferences } from './differential/listening';
import { receivingDifferences, receivings } from './differential/receiving';
import { sendingDifferences, sendings } from './differential/sending';
import { streamDifferences, streams } from './differential/streams';
import type { Differences, Scenarios } from './differential/transcript';
import { upwire, ws } from './support/libraries';

/** The same use of `ws` and of ours gives the same. */
function same(scenarios: Scenarios): void {
  test.each(Object.entries(scenarios))('%s', async (_name, run) => {
    expect(await run(upwire)).toStrictEqual(await run(ws));
  });
}

/** Where we differ, both outcomes are written down: a `ws` that changes its mind is noticed too. */
function different(differences: Differences): void {
  const entries = Object.entries(differences);
  if (entries.length === 0) return;
  test.each(entries)('on purpose: %s', async (_name, { run, ws: theirs, upwire: ours }) => {
    expect(await run(ws)).toStrictEqual(theirs);
    expect(await run(upwire)).toStrictEqual(ours);
  });
}

describe('what a server answers is the same as in ws', () => {
  same(handshakes);
  different(handshakeDifferences);
});

describe('what is sent is the same as in ws', () => {
  same(sendings);
  different(sendingDifferences);
});

describe('what is received is the same as in ws', () => {
  same(receivings);
  different(receivingDifferences);
});

describe('what is compressed is the same as in ws', () => {
  same(compressions);
  different(compressionDifferences);
});

describe('how a connection closes is the same as in ws', () => {
  same(closings);
  same(serverClosings);
  different(closingDifferences);
});

describe('streams are the same as in ws', () => {
  same(streams);
  different(streamDifferences);
});

describe('listeners are the same as in ws', () => {
  same(listening);
  different(listeningDifferences);
});
