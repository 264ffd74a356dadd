import { Child } from '../../bench/control/child.mjs';

/**
 * Starts a process of clients.
 *
 * @param {string[]} [prefix] a program that starts Node, with its arguments
 */
export function startLoad(prefix = []) {
  const [runtime, ...flags] = [...prefix, process.execPath, '--expose-gc'];
  return new Child('../reliability/client/load.mjs', { name: 'clients', runtime, flags });
}
