// One run: a fresh process of the peer on one core, a fresh generator on another, and figures.
import { Child } from '../control/child.mjs';
import { checkClient, checkReceived, checkTally } from './expected.mjs';

/** A generator that is busy for more than this share of the time may be what was measured. */
const saturation = 0.9;

/**
 * @typedef {object} Bench what the runs of one benchmark have in common
 * @property {Record<string, string>} runtimes paths by name; Node is the one under test
 * @property {{ subject?: number, load?: number }} cores
 *
 * @typedef {object} Run
 * @property {number} messages
 * @property {number} bytes that came back
 * @property {number} [busy] share of the time that the generator was on its core
 * @property {boolean} saturated whether the generator may have been the limit
 * @property {Record<string, number>} figures
 */

/** Starts the process of the peer under test, and ends it when `work` is over. */
async function withChildren({ runtimes, cores }, peer, file, flags, work) {
  const subject = new Child(file, {
    name: peer.label,
    runtime: runtimes[peer.runtime],
    flags: peer.runtime === 'node' ? flags : [],
    env: peer.env,
    core: cores.subject,
  });
  const load = new Child('load/main.mjs', {
    name: 'load generator',
    runtime: process.execPath,
    core: cores.load,
  });
  try {
    return await work(subject, load);
  } finally {
    await Promise.all([subject.stop(), load.stop()]);
  }
}

const serverOf = ({ program }, peer) => program ?? `servers/${peer.program}.mjs`;

/** What the server is told: in the frameworks' applications, which adapter to use. */
const behaviourOf = ({ package: folder, server }, peer) =>
  folder === undefined
    ? server
    : { ...server, adapter: peer.program === 'upwire' ? 'upwire' : 'peer' };

/** CPU time of a process while `work` is done, in microseconds. */
async function cpuDuring(child, work) {
  const before = await child.call('usage');
  const result = await work();
  const after = await child.call('usage');
  return { cpu: after.cpu - before.cpu, result };
}

const methods = {
  /** A server under load. */
  traffic: (bench, scenario, peer, { messages, warmUp, load: spec }) =>
    withChildren(bench, peer, serverOf(scenario, peer), [], async (server, load) => {
      const { port } = await server.call('listen', behaviourOf(scenario, peer));
      const { verified } = await load.call('open', { ...spec, port, masked: peer.masked });
      const warm = await load.call('run', { messages: warmUp });
      if (scenario.watchDelay) await server.call('watchDelay');
      const { cpu, result } = await cpuDuring(server, () => load.call('run', { messages }));
      const delays = scenario.watchDelay ? await server.call('delay') : {};
      checkReceived(scenario, peer, result);
      if (spec.kind === 'flood') {
        const sent = verified + warm.messages + result.messages;
        checkTally(scenario, peer, sent, await server.call('tally'));
      }
      return {
        ...told(result),
        figures: {
          cpu: cpu / result.messages,
          rate: result.messages / result.seconds,
          p50: result.p50,
          p99: result.p99,
          delay50: delays.p50,
          delay99: delays.p99,
        },
      };
    }),

  /** A client that talks to the same server as all the others. */
  client: (bench, scenario, peer, { messages, warmUp, load: spec }) =>
    withChildren(bench, peer, `clients/${peer.program}.mjs`, [], async (client, load) => {
      const { port } = await load.call('answer', spec);
      await client.call('open', { ...spec, port });
      await client.call('run', { messages: warmUp });
      let ran;
      const { cpu } = await cpuDuring(client, async () => {
        const server = await cpuDuring(load, async () => {
          ran = await client.call('run', { messages });
        });
        ran = { ...ran, busy: server.cpu / 1e6 / ran.seconds };
      });
      checkClient(scenario, peer, ran);
      return {
        ...told(ran),
        figures: { cpu: cpu / ran.messages, rate: ran.messages / ran.seconds },
      };
    }),

  /** What connections leave behind in a server's memory. */
  memory: (bench, scenario, peer, { load: spec }) =>
    withChildren(bench, peer, serverOf(scenario, peer), ['--expose-gc'], async (server, load) => {
      const { port } = await server.call('listen', behaviourOf(scenario, peer));
      const target = { ...spec, port, masked: peer.masked };
      // What the first connections cost is code and buffers of the process.
      await load.call('open', { ...target, connections: Math.ceil(spec.connections / 10) });
      await load.call('close');
      const before = await server.call('memory');
      await load.call('open', target);
      const after = await server.call('memory');
      return {
        messages: spec.connections,
        bytes: 0,
        saturated: false,
        figures: { memory: (after.rss - before.rss) / 1024 / spec.connections },
      };
    }),
};

function told({ messages, bytes, busy, saturated }) {
  return { messages, bytes, busy, saturated: saturated ?? busy > saturation };
}

/**
 * @param {Bench} bench
 * @param {import('../scenarios.mjs').Scenario} scenario
 * @param {import('../peers.mjs').Peer} peer
 * @param {ReturnType<import('./profiles.mjs').workOf>} work
 * @returns {Promise<Run>}
 */
export async function measure(bench, scenario, peer, work) {
  const { figures, ...run } = await methods[scenario.method](bench, scenario, peer, work);
  const wanted = Object.fromEntries(scenario.figures.map((key) => [key, figures[key]]));
  return { ...run, figures: wanted };
}
