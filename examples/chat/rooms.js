// Who is where, and what was said there. All of it is in memory, and none of it knows Express: a
// socket here is anything with `send(text)` and `close(code, reason)`, a person `{ id, name }`.

/** How many messages a newcomer gets to see. */
const HISTORY = 50;

/** The room that is there when no other is. */
const LOBBY = 'lobby';

class Room {
  history = [];
  /** The timer that forgets this room while it is empty. */
  forgetting = undefined;
  // One person may sit here with several tabs, so the sockets are the keys.
  #seats = new Map();

  constructor(name) {
    this.name = name;
  }

  /** The people here, each once. */
  get people() {
    const byId = new Map([...this.#seats.values()].map((person) => [person.id, person]));
    return [...byId.values()];
  }

  get sockets() {
    return [...this.#seats.keys()];
  }

  has(person) {
    return this.people.some(({ id }) => id === person.id);
  }

  socketsOf(person) {
    return this.sockets.filter((socket) => this.#seats.get(socket).id === person.id);
  }

  /** Takes a seat; returns whether the person was not here before. */
  enter(socket, person) {
    const arrives = !this.has(person);
    if (arrives) this.#send({ type: 'joined', person });
    this.#seats.set(socket, person);
    return arrives;
  }

  /** Gives up a seat; returns whether that was the person's last one. */
  leave(socket) {
    const person = this.#seats.get(socket);
    this.#seats.delete(socket);
    const departs = !this.has(person);
    if (departs) this.#send({ type: 'left', person });
    return departs;
  }

  say(person, { id, text }) {
    const said = { type: 'said', id, person, text, at: Date.now() };
    this.history = [...this.history, said].slice(-HISTORY);
    this.#send(said);
  }

  #send(message) {
    send(this.sockets, message);
  }
}

class Rooms {
  #rooms = new Map();
  #linger;

  /** @param {number} linger milliseconds that an empty room is kept: reloading the page empties it for a moment */
  constructor({ linger = 30_000 } = {}) {
    this.#linger = linger;
  }

  /** Seats a socket in a room, which is made if need be, and returns the room. */
  enter(name, socket, person) {
    const room = this.#rooms.get(name) ?? new Room(name);
    clearTimeout(room.forgetting);
    this.#rooms.set(name, room);
    const arrives = room.enter(socket, person);
    const { people, history } = room;
    send([socket], {
      type: 'welcome',
      room: name,
      you: person,
      people,
      history,
      rooms: this.list(),
    });
    if (arrives) this.#announce();
    return room;
  }

  leave(room, socket) {
    if (!room.leave(socket)) return;
    if (room.people.length === 0) this.#forgetLater(room);
    this.#announce();
  }

  /** The rooms with somebody in them, and the lobby. */
  list() {
    const open = [...this.#rooms.values()].filter(({ people }) => people.length > 0);
    const named = open.map(({ name, people }) => ({ name, people: people.length }));
    if (!named.some(({ name }) => name === LOBBY)) named.push({ name: LOBBY, people: 0 });
    const rank = ({ name }) => (name === LOBBY ? 0 : 1);
    return named.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  }

  /** Whether somebody else of this name is in a room, in capitals or not. */
  isTaken(name, { id } = {}) {
    const people = [...this.#rooms.values()].flatMap((room) => room.people);
    return people.some((it) => it.id !== id && it.name.toLowerCase() === name.toLowerCase());
  }

  /** Closes all sockets of a person. */
  dismiss(person, code, reason) {
    for (const room of this.#rooms.values()) {
      for (const socket of room.socketsOf(person)) socket.close(code, reason);
    }
  }

  #announce() {
    const everywhere = [...this.#rooms.values()].flatMap(({ sockets }) => sockets);
    send(everywhere, { type: 'rooms', rooms: this.list() });
  }

  #forgetLater(room) {
    const forget = () => this.#rooms.delete(room.name);
    // A room that nobody misses must not keep the process alive.
    room.forgetting = setTimeout(forget, this.#linger).unref();
  }
}

/** Sends a message to some sockets; it is written out as JSON once. */
function send(sockets, message) {
  const text = JSON.stringify(message);
  for (const socket of sockets) socket.send(text);
}

module.exports = { HISTORY, Rooms };
