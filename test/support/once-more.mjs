// Tests on real servers share two busy cores with them: one that fails is told, and tried once more.
import { jest } from '@jest/globals';

jest.retryTimes(1, { logErrorsBeforeRetry: true });
