// From runs to what the reports show: medians, and ratios of medians.
import { peers as allPeers, references } from '../peers.mjs';
import { figures } from './figures.mjs';

/**
 * @typedef {object} Cell one figure of one peer
 * @property {number} median
 * @property {number} least
 * @property {number} most
 * @property {number} [ratio] how many times better than the reference; below 1 is worse
 *
 * @typedef {object} Column a peer in a scenario
 * @property {Record<string, Cell>} cells by figure
 * @property {number} rounds
 * @property {number} saturated rounds in which the generator may have been the limit
 * @property {string} [failure]
 *
 * @typedef {object} Row a scenario
 * @property {string} name
 * @property {string} title
 * @property {string} section
 * @property {string} unit
 * @property {string} [rival]
 * @property {string} [chart]
 * @property {string[]} figures
 * @property {Record<string, Column>} columns by the id of the peer
 */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (!Number.isInteger(middle)) return sorted[Math.floor(middle)];
  return (sorted[middle - 1] + sorted[middle]) / 2;
}

function cellOf(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

function columnOf(keys, runs, failure) {
  const cells =
    runs.length === 0 ? [] : keys.map((key) => [key, runs.map((run) => run.figures[key])]);
  return {
    cells: Object.fromEntries(cells.map(([key, values]) => [key, cellOf(values)])),
    rounds: runs.length,
    saturated: runs.filter(({ saturated }) => saturated).length,
    failure,
  };
}

/** The column that ratios are taken to, of those that have figures. */
function referenceIn(columns) {
  return references.find((id) => columns[id]?.rounds > 0);
}

/** What that peer is called in reports; `undefined` where there is none. */
export function referenceLabel(rows) {
  const id = rows.map(({ columns }) => referenceIn(columns)).find((one) => one !== undefined);
  return allPeers.find((peer) => peer.id === id)?.label;
}

function addRatios(columns) {
  const reference = columns[referenceIn(columns)];
  if (reference === undefined) return;
  for (const { cells } of Object.values(columns)) {
    for (const [key, cell] of Object.entries(cells)) {
      const other = reference.cells[key].median;
      const ratio = figures[key].lessIsBetter ? other / cell.median : cell.median / other;
      if (Number.isFinite(ratio) && ratio > 0) cell.ratio = ratio;
    }
  }
}

/** @param {import('../measure/series.mjs').Measured} measured @returns {Row} */
export function summarize({ scenario, runs, failures }) {
  const { name, title, section, unit, rival, chart, figures: keys } = scenario;
  const columns = Object.fromEntries(
    Object.entries(runs).map(([id, all]) => [id, columnOf(keys, all, failures[id])]),
  );
  addRatios(columns);
  return { name, title, section, unit, rival, chart, figures: keys, columns };
}

/** Peers that have a column, in their order. */
export function columnsOf(rows) {
  return allPeers.filter(({ id }) => rows.some(({ columns }) => columns[id] !== undefined));
}
