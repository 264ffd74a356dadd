// What people may type, and how long it may be. Whatever comes from a browser passes through here
// first: the page checks the same limits, but a socket can be opened without the page.

const LIMITS = { name: 24, room: 32, text: 500 };

/** Input that was refused. The message is meant for the person who wrote it. */
class InputError extends Error {
  constructor(message, status = 400) {
    super(message);
    this.status = status;
  }
}

// Letters and digits of every script. No control characters, nothing invisible, nothing that turns
// the direction of writing: whoever reads a name can trust that it is all there.
const NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}' ._-]*$/u;
const ROOM = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:-[\p{L}\p{M}\p{N}]+)*$/u;

function readName(value) {
  // NFKC makes one name of what looks like one, such as "Ada" in full-width letters.
  const name = readString(value).normalize('NFKC').trim().replace(/\s+/g, ' ');
  if (name === '') throw new InputError('Type a name to go by.');
  if (name.length > LIMITS.name) {
    throw new InputError(`A name has ${LIMITS.name} characters at most.`);
  }
  if (!NAME.test(name)) {
    throw new InputError(
      "A name has letters, digits, spaces and ' . _ - only, a letter or digit first.",
    );
  }
  return name;
}

function readRoomName(value) {
  const room = readString(value).normalize('NFKC').toLowerCase();
  if (room.length > LIMITS.room) {
    throw new InputError(`A room's name has ${LIMITS.room} characters at most.`);
  }
  if (!ROOM.test(room)) {
    throw new InputError("A room's name has letters and digits, and single hyphens between them.");
  }
  return room;
}

/** Reads `{ type: 'say', id, text }`, which is all that a page ever sends. */
function readMessage(data) {
  if (typeof data !== 'string') throw new InputError('A message is text, not binary data.');
  const { type, id, text } = parseObject(data);
  if (type !== 'say') throw new InputError('The only type of message is "say".');
  if (typeof id !== 'string' || !/^[\w-]{1,36}$/.test(id)) {
    throw new InputError('A message needs an "id": up to 36 letters, digits and hyphens.');
  }
  if (typeof text !== 'string' || text.trim() === '') {
    throw new InputError('A message needs some "text".');
  }
  if (text.length > LIMITS.text) {
    throw new InputError(`A message has ${LIMITS.text} characters at most.`);
  }
  return { id, text: text.trim() };
}

function parseObject(data) {
  const value = parse(data);
  // Numbers, strings and null are JSON too.
  if (typeof value !== 'object' || value === null) {
    throw new InputError('A message is a JSON object.');
  }
  return value;
}

function parse(json) {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Forms can leave a field out, or send it twice, which makes it an array. */
function readString(value) {
  return typeof value === 'string' ? value : '';
}

module.exports = { InputError, LIMITS, readMessage, readName, readRoomName };
