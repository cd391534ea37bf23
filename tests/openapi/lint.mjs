// Redocly's linter with its recommended rules, all as errors: node lint.mjs DOCUMENT
import { tools } from './document.mjs';

const { lint, createConfig } = tools('@redocly/openapi-core');

const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    // CC is used inside of one company; nobody is given a licence.
    'info-license': 'off',
    // /v1/calls/search and /v1/calls/{callId} are told apart: an id has digits only, and no GET is on `search`.
    'no-ambiguous-paths': 'off',
  },
});
const problems = await lint({ ref: process.argv[2], config });
for (const problem of problems) {
  const where = problem.location.map((place) => place.pointer ?? '').join(' ');
  console.log(`${problem.severity}: ${problem.ruleId}: ${problem.message}\n    at ${where}`);
}
console.log(problems.length === 0 ? 'The document is as the linter wants it.' : `${problems.length} complaints`);
process.exit(problems.length === 0 ? 0 : 1);
