// The table, on the terminal and as Markdown.
import { figures } from './figures.mjs';

const mark = '*';

/** A ratio as a person reads it: two digits near 1, fewer far from it. */
const times = (ratio) => `${ratio.toFixed(ratio < 10 ? 2 : 1)}×`;

/** One figure of one peer: value and ratio. */
function textOf(column, key) {
  if (column === undefined) return ['', ''];
  if (column.failure !== undefined) return ['failed', ''];
  const cell = column.cells[key];
  const marked = column.saturated > 0 ? mark : '';
  const ratio = cell.ratio === undefined ? '' : times(cell.ratio);
  return [figures[key].show(cell.median), `${ratio}${marked}`];
}

const nameWidth = 20;
const labelWidth = 11;
const valueWidth = 10;
const ratioWidth = 8;

/** @param {import('../peers.mjs').Peer[]} peers */
export function header(peers) {
  const labels = peers.map(({ label }) => label.padStart(valueWidth + ratioWidth));
  return ' '.repeat(nameWidth + labelWidth) + labels.join('');
}

/** What is behind the name of a scenario: what it is, and of what its CPU time is. */
const descriptionOf = ({ title, unit, rival, section }) => {
  const against = rival === undefined ? '' : `; ${rival} in the place of ws`;
  return `${section.toLowerCase()}: ${title} (a ${unit})${against}`;
};

/** The lines of one scenario. @param {import('./summary.mjs').Row} row */
export function lines(row, peers) {
  const first = `${row.name.padEnd(nameWidth)} ${descriptionOf(row)}`;
  const others = row.figures.map((key) => {
    const cells = peers.map(({ id }) => {
      const [value, ratio] = textOf(row.columns[id], key);
      return value.padStart(valueWidth) + ratio.padStart(ratioWidth);
    });
    return ' '.repeat(nameWidth) + figures[key].label.padStart(labelWidth) + cells.join('');
  });
  return [first, ...others].map((line) => line.trimEnd());
}

/** Whether the rounds of a peer differ too much to believe their median. */
function isUnsteady({ cells }) {
  const { median, least, most } = cells.cpu ?? cells.memory ?? {};
  return most - least > median / 4;
}

/** Scenarios that were measured again may have had more rounds than the others. */
function roundsOf(all) {
  const counts = all.map(({ rounds }) => rounds).filter((count) => count > 0);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most <= 1) return 'One round.';
  return `Medians of ${least === most ? most : `${least} to ${most}`} rounds.`;
}

/** What must be known to read the table. */
export function legend({ rows, missing, reference, unpinned, load }) {
  const all = rows.flatMap(({ name, columns }) =>
    Object.entries(columns).map(([id, column]) => ({ name, id, ...column })),
  );
  const notes = [roundsOf(all)];
  if (reference !== undefined) notes.push(`Ratios: how many times better than ${reference}.`);
  const unsteady = all.filter(isUnsteady).map(({ name, id }) => `${name} (${id})`);
  if (unsteady.length > 0) {
    notes.push(
      `Rounds differ by more than a quarter in CPU time or memory: ${unsteady.join(', ')}.`,
    );
  }
  if (all.some(({ saturated }) => saturated > 0)) {
    notes.push(`${mark} The load generator had no time left: the clock shows its limit.`);
  }
  if (unpinned !== undefined) notes.push(`No process was kept on a core of its own: ${unpinned}.`);
  if (load !== undefined) notes.push(`Others were at work on this machine, on ${load} cores.`);
  for (const { what, reason } of missing) notes.push(`Left out: ${what}: ${reason}.`);
  for (const { name, id, failure } of all) {
    if (failure !== undefined) notes.push(`Failed: ${name}, ${id}: ${failure}`);
  }
  return notes;
}

/** The same as a table in Markdown, one for each section. */
export function markdown(rows, peers) {
  const sections = [...new Set(rows.map(({ section }) => section))];
  return sections
    .map((section) => {
      const chosen = rows.filter((row) => row.section === section);
      const own = peers.filter(({ id }) => chosen.some(({ columns }) => columns[id]));
      return [
        `| ${section} | | ${own.map(({ label }) => label).join(' | ')} |`,
        `|---|---|${own.map(() => '---:|').join('')}`,
        ...chosen.flatMap((row) => markdownLines(row, own)),
      ].join('\n');
    })
    .join('\n\n');
}

function markdownLines(row, peers) {
  return row.figures.map((key, index) => {
    const cells = peers.map(({ id }) => {
      const [value, plain] = textOf(row.columns[id], key);
      const ratio = plain.replace(mark, `\\${mark}`);
      const strong = id === 'upwire' && ratio !== '' ? `**${ratio}**` : ratio;
      return `${value} ${strong}`.trim();
    });
    const title = index === 0 ? row.title : '';
    const unit = figures[key].label === 'CPU' ? `CPU a ${row.unit}` : figures[key].label;
    return `| ${title} | ${unit} | ${cells.join(' | ')} |`;
  });
}
