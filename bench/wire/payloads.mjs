// What the messages say. Both ends make them from the same description, so that each knows every byte the other sends.

/**
 * @typedef {object} PayloadSpec
 * @property {'ascii' | 'cjk' | 'binary'} content
 * @property {number} bytes exact length
 */

/** Small numbers that are the same in every run. */
function* numbers(seed) {
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

const syllables = ['ka', 'lo', 'mi', 'ren', 'tas', 'u', 'vel', 'dor', 'is', 'pa', 'chu', 'ne'];

/** Words as frequent as words are: a few of them make up most of the text. */
function words(count, random) {
  const chosen = [];
  for (let index = 0; index < count; index++) {
    const rank = Math.floor((random.next().value % 1000) ** 2 / 4000);
    const first = syllables[rank % syllables.length];
    const second = syllables[(rank * 7) % syllables.length];
    chosen.push(rank % 3 === 0 ? first : `${first}${second}${rank % 5 === 0 ? first : ''}`);
  }
  return chosen.join(' ');
}

/** Chat messages as JSON, one a line: what compresses two to four times, as such traffic does. */
function ascii(bytes, random) {
  let text = '';
  while (text.length < bytes) {
    const id = random.next().value.toString(36);
    const from = words(1, random);
    text += `${JSON.stringify({ id, from, at: random.next().value, text: words(12, random) })}\n`;
  }
  return Buffer.from(text.slice(0, bytes), 'latin1');
}

/** Characters of three bytes each, and as many full stops as are missing at the end. */
function cjk(bytes, random) {
  let text = '';
  for (let count = Math.floor(bytes / 3); count > 0; count--) {
    text += String.fromCharCode(0x4e00 + (random.next().value % 0x1000));
  }
  return Buffer.from(text + '.'.repeat(bytes % 3));
}

function binary(bytes, random) {
  const buffer = Buffer.alloc(bytes);
  for (let index = 0; index < bytes; index++) buffer[index] = random.next().value;
  return buffer;
}

const makers = { ascii, cjk, binary };

/** The bytes of a message; another `variant` is another message of the same kind and length. */
export function payload({ content, bytes }, variant = 0) {
  return makers[content](bytes, numbers(variant + bytes));
}

/** What the application gets of it: characters of a text, bytes of anything else. */
export function unitsOf(spec) {
  const bytes = payload(spec);
  return spec.content === 'binary' ? bytes.length : bytes.toString().length;
}

export const isBinary = ({ content }) => content === 'binary';
