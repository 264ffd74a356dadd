// The bar chart. Each scenario is a scale of its own: the best one in it has the full width, and a bar twice as long does
// twice as many messages with the same CPU time.
import { figures } from './figures.mjs';

const width = 860;
const labelWidth = 270;
const barHeight = 13;
const barGap = 3;
const groupGap = 16;
const valueWidth = 120;
const top = 76;
const left = 16;

const colours = {
  ws: ['#b8bec9', '#5a6270'],
  'ws-bufferutil': ['#8e97a6', '#838c9b'],
  upwire: ['#2563eb', '#5b8def'],
  bun: ['#e6a23c', '#d09a45'],
  net: ['#d7dbe2', '#3d434d'],
};

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function text(x, y, content, { anchor = 'start', classes = '' } = {}) {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" class="${classes}">${escaped(content)}</text>`;
}

function style(peers) {
  const rules = (index) => peers.map(({ id }) => `.${id}{fill:${colours[id][index]}}`).join('');
  return `<style>
text{font:12px system-ui,sans-serif;fill:#1f2430}.title{font-size:17px;font-weight:600}.soft{fill:#667085}.strong{font-weight:600}
.back{fill:#fff}${rules(0)}
@media(prefers-color-scheme:dark){text{fill:#e6e8ec}.soft{fill:#9aa3b2}.back{fill:#0d1117}${rules(1)}}
</style>`;
}

function legendOf(peers) {
  let x = left;
  return peers
    .map(({ id, label }) => {
      const at = x;
      x += 34 + label.length * 7;
      return `<rect class="${id}" x="${at}" y="52" width="12" height="12" rx="2"/>${text(at + 17, 62, label)}`;
    })
    .join('\n');
}

/** One scenario: a bar for each peer. @returns {{ markup: string, height: number }} */
function group(row, peers, y) {
  const present = peers.filter(({ id }) => row.columns[id]?.cells.cpu !== undefined);
  const cpu = ({ id }) => row.columns[id].cells.cpu;
  const best = Math.min(...present.map((peer) => cpu(peer).median));
  const space = width - labelWidth - valueWidth - 2 * left;
  const bars = present.map((peer, index) => {
    const { median, ratio } = cpu(peer);
    const at = y + index * (barHeight + barGap);
    const length = Math.max(1, (space * best) / median);
    const value = `${figures.cpu.show(median)}${ratio === undefined ? '' : `  ${ratio.toFixed(ratio < 10 ? 2 : 1)}×`}`;
    const classes = peer.id === 'upwire' ? 'strong' : 'soft';
    const x = left + labelWidth;
    return [
      `<rect class="${peer.id}" x="${x}" y="${at}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
      text((x + length + 6).toFixed(1), at + barHeight - 2.5, value, { classes }),
    ].join('');
  });
  const height = present.length * (barHeight + barGap);
  const label = text(left + labelWidth - 12, y + height / 2 - 3, row.chart, { anchor: 'end' });
  const unit = text(left + labelWidth - 12, y + height / 2 + 12, `CPU time a ${row.unit}`, {
    anchor: 'end',
    classes: 'soft',
  });
  return { markup: [label, unit, ...bars].join('\n'), height };
}

/**
 * @param {import('./json.mjs').Result} result
 * @param {import('../peers.mjs').Peer[]} peers
 * @param {string} [reference] the peer that ratios are taken to
 * @returns {string | undefined} nothing where no scenario of the chart was run
 */
export function chart(result, peers, reference) {
  const rows = result.scenarios.filter((row) => row.chart !== undefined);
  const drawn = peers.filter(({ id }) => rows.some(({ columns }) => columns[id]?.cells.cpu));
  if (drawn.length === 0) return undefined;
  const better = reference === undefined ? '' : `, and how many times better than ${reference}`;
  let y = top;
  const groups = rows.map((row) => {
    const { markup, height } = group(row, drawn, y);
    y += height + groupGap;
    return markup;
  });
  const { machine, versions, date } = result;
  const facts = `Node ${versions.node}, ${machine.cpu}, ${machine.system}, ${date.slice(0, 10)}`;
  const height = y + 22;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>Messages for the same CPU time of the server</title>
${style(drawn)}
<rect class="back" width="${width}" height="${height}"/>
${text(left, 28, 'Messages for the same CPU time of the server: longer is better', { classes: 'title' })}
${text(left, 45, `CPU time of one${better}`, { classes: 'soft' })}
${legendOf(drawn)}
${groups.join('\n')}
${text(left, y + 8, facts, { classes: 'soft' })}
</svg>
`;
}
