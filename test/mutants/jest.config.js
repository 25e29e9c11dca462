import { fileURLToPath } from 'node:url';
import jest from '../../jest.config.js';

/** The unit tests alone, as jest.config.js has them; Stryker knows one project at a time. */
const { displayName, ...unit } = jest.projects.find(({ displayName }) => displayName === 'unit');
export default { ...unit, rootDir: fileURLToPath(new URL('../..', import.meta.url)) };
