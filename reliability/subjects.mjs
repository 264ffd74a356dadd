// Who is tested.

/**
 * @typedef {object} Subject
 * @property {string} id as on the command line
 * @property {string} label as in the table
 * @property {string} program name of its server in `servers/`
 * @property {string} library which of the program's two it is
 * @property {boolean} ours whether it has to pass
 * @property {boolean} framework whether it is an adapter, with middleware and routes
 */

/** @type {Subject[]} */
export const subjects = [
  { id: 'upwire', label: '@upwire/engine', program: 'engine', library: 'upwire', ours: true },
  { id: 'express', label: '@upwire/express', program: 'express', library: 'upwire', ours: true },
  { id: 'fastify', label: '@upwire/fastify', program: 'fastify', library: 'upwire', ours: true },
  { id: 'koa', label: '@upwire/koa', program: 'koa', library: 'upwire', ours: true },
  { id: 'ws', label: 'ws', program: 'engine', library: 'peer', ours: false },
  { id: 'express-ws', label: 'express-ws', program: 'express', library: 'peer', ours: false },
  {
    id: 'fastify-websocket',
    label: '@fastify/websocket',
    program: 'fastify',
    library: 'peer',
    ours: false,
  },
  { id: 'koa-easy-ws', label: 'koa-easy-ws', program: 'koa', library: 'peer', ours: false },
].map((subject) => ({ ...subject, framework: subject.program !== 'engine' }));

/** Subjects by id, in the order of the table; all where none is named. @throws Error for an unknown one */
export function chooseSubjects(ids) {
  const known = subjects.map(({ id }) => id);
  for (const id of ids) {
    if (!known.includes(id))
      throw new Error(`There is no subject "${id}", only ${known.join(', ')}`);
  }
  return ids.length === 0 ? subjects : subjects.filter(({ id }) => ids.includes(id));
}
