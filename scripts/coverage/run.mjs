// `npm run coverage`: the tests with a table of what they run, and what `npm test` asks of it. With arguments for jest,
// the table of those tests alone.
import '../node-version.mjs';
import { runCommand } from '../run.mjs';
import { step } from '../steps.mjs';
import { checkCoverage, clearCoverage } from './check.mjs';

const args = process.argv.slice(2);
const reporters = ['text', 'html', 'lcovonly', 'json-summary'];
clearCoverage();
const { code } = await runCommand(
  'jest',
  'jest',
  // In this order: an option that is a list takes for its own whatever follows that is no option.
  [...args, '--coverage', ...reporters.map((name) => `--coverageReporters=${name}`)],
  { stream: true },
);
process.exitCode = code;
if (args.length === 0) {
  await step('coverage', checkCoverage).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
