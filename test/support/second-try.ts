import { expect, jest } from '@jest/globals';

// What waits for real servers, processes and clocks can lose against whatever else a build machine does. There, and
// only there, such a test is run a second time; `npm run check` names each that needed it.
const { testPath = '' } = expect.getState();
if (process.env.CI === 'true' && testPath.replaceAll('\\', '/').includes('/test/')) {
  jest.retryTimes(1, { logErrorsBeforeRetry: true });
}
