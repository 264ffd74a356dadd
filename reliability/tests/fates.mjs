// All the ways in which a connection can end.
import { Client } from '../client/client.mjs';
import { closing, frame, text } from '../client/frames.mjs';
import { moments } from './resets.mjs';

/** Opens, and does something; over when the connection has ended. */
const opened = (path, act) => async (address) => {
  const client = await Client.open(address, path);
  await act(client);
  await client.ends(8_000);
  client.destroy();
};

const refused = (path, headers) => async (address) => {
  const client = await Client.knock(address, path, headers);
  await client.head();
  await client.ends(3_000);
  client.destroy();
};

const reset = (reach) => async (address) => {
  const client = await reach(address);
  client.reset();
};

const silent = () => undefined;

/** @type {Record<string, (address: object) => Promise<void>>} */
const common = {
  'refused: no route': refused('/nowhere'),
  'refused: guard': refused('/admin/x'),
  'refused: malformed': refused('/echo', { 'Sec-WebSocket-Key': 'short' }),
  'closed by the client': opened('/echo', (client) => client.write(text('hi'), closing(1000))),
  'closed by the server': opened('/leave', async (client) => {
    client.write(text('go'));
    await client.frame();
    client.write(closing(4000));
  }),
  'ended without a close frame': opened('/echo', (client) => client.end()),
  ...Object.fromEntries(
    Object.entries(moments).map(([when, reach]) => [`reset ${when}`, reset(reach)]),
  ),
  'no answer to the close frame': opened('/leave', (client) => client.write(text('go'))),
};

/** What ends by the limits and promises that ours have. */
const own = {
  'a frame that is wrong': opened('/echo', (client) => client.write(frame({ opcode: 3 }))),
  'refused: too late': refused('/never'),
  'no answer to a ping': opened('/echo', silent),
  'half a frame': opened('/echo', (client) => client.write(text('hello').subarray(0, 4))),
};

const ofAdapters = {
  'refused: origin': refused('/echo', { Origin: 'http://evil.example' }),
  'a handler that throws': opened('/throws', silent),
  'a handler that rejects': opened('/rejects', silent),
  'a listener that throws': opened('/listener', (client) => client.write(text('hi'))),
};

export function fatesOf({ ours, framework }) {
  return { ...common, ...(ours ? own : {}), ...(ours && framework ? ofAdapters : {}) };
}
