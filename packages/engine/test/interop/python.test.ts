import { interoperate } from './interoperate';
import { findPython, Python, pythonWebsockets } from './peers/python';

const found = findPython();

if (found === undefined) {
  describe.skip("Python's websockets (skipped: no python3-websockets found, set PYTHON)", () => {
    test('all scenarios', () => undefined);
  });
} else {
  describe(`with ${found}`, () => {
    let python: Python;
    beforeAll(() => {
      python = new Python(found);
    });
    afterAll(() => python.end());

    interoperate(pythonWebsockets(() => python));
  });
}
