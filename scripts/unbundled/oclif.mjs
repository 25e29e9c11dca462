// The parts of oclif that the CLI uses; its index would load the rest of it at every start.
export * as Args from '@oclif/core/args';
export { Command } from '@oclif/core/command';
export { Config, Plugin } from '@oclif/core/config';
export * as Flags from '@oclif/core/flags';
export { CommandHelp, Help } from '@oclif/core/help';
export { run } from '@oclif/core/run';
