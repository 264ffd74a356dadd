const required = require('@upwire/express');

test('loads', () => {
  expect(typeof required).toBe('object');
});
