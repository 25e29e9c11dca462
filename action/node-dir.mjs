// Prints the directory of a Node that osapi-ops runs on: `.` for this one, nothing where there is none yet.
import { dirname } from 'node:path';
import { findOwnNode, isSupported } from '../bin/supported-node.js';

const own = isSupported(process.version) ? undefined : findOwnNode();
console.log(isSupported(process.version) ? '.' : own ? dirname(own) : '');
