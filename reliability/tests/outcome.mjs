/**
 * What came of a test.
 *
 * @typedef {{ passed: boolean, figure: string }} Outcome
 */

/** @returns {Outcome} */
export const outcome = (passed, figure) => ({ passed, figure });

/** Names what went wrong; a few of them, where there are many. */
export function list(names, none = 'none') {
  if (names.length === 0) return none;
  const shown = names.slice(0, 6).join(', ');
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}

export const mebibytes = (bytes) =>
  `${(bytes / 1024 ** 2).toFixed(bytes < 10 * 1024 ** 2 ? 1 : 0)} MiB`;

export const milliseconds = (time) => `${time.toFixed(time < 10 ? 1 : 0)} ms`;

export const after = (time) => new Promise((resolve) => setTimeout(resolve, time));
