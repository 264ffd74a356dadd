const required = require('@upwire/engine');

test('loads', () => {
  expect(typeof required).toBe('object');
});
