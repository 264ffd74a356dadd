const boom = () => {
  throw new Error('boom');
};

/** Handlers that fail, by their paths. */
export const faults = {
  '/throws': boom,
  '/rejects': async () => boom(),
  '/listener': (ws) => ws.on('message', boom),
};
