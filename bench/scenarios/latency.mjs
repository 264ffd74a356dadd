import { kinds } from '../report/figures.mjs';
import { text, traffic } from './common.mjs';

/** About a fifth of what `ws` with its add-on can do, on a machine of 2024; the same for all. */
const rate = 10_000;

export const latency = {
  ...traffic,
  figures: kinds.latency,
  name: 'latency',
  title: `echo 64 B text, 64 connections, ${rate.toLocaleString('en')} messages a second`,
  section: 'Latency',
  unit: 'message',
  server: { behaviour: 'echo' },
  load: { kind: 'paced', payload: text(64), connections: 64, rate },
  messages: 2 * rate,
};
