import { Args, Flags } from '@oclif/core';
import { ROLES, type RoleName } from '../lib/model/permissions.ts';
import { permissionsOperation } from '../lib/operations/permissions.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { renderNsc, renderNscAccount, renderServerAccount, renderServerConfig } from '../lib/ui/render/permissions.ts';

const FORMATS = {
  server: renderServerConfig,
  'server-account': renderServerAccount,
  nsc: renderNsc,
  'nsc-account': renderNscAccount,
} as const;

export default class Permissions extends BaseCommand<typeof Permissions> {
  static override summary = 'print the least NATS permissions that a role needs';
  static override description =
    `As a user in a nats-server's configuration, or as commands of nsc: the subjects that the commands of the role use for
the resources of this spec, and no more. With an account of its own (server-account, nsc-account) that is all it can do;
in the account of the streams the server lets a user aim answers anywhere. Asks no server. Roles: viewer, applier, migrator, operator,
worker, client.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> config/prod.yaml viewer',
    '<%= config.bin %> <%= command.id %> config/prod.yaml client --format server-account',
    '<%= config.bin %> <%= command.id %> config/prod.yaml worker --format nsc',
  ];
  static override args = {
    spec: Args.string({ description: 'the spec; - is stdin', required: true }),
    role: Args.string({ description: 'who it is for', required: true, options: [...ROLES] }),
  };
  static override flags = withEnv({
    format: Flags.string({ summary: 'for whom it is written', options: Object.keys(FORMATS), default: 'server' }),
  });

  protected async execute(): Promise<undefined> {
    const { spec, role } = this.args;
    const permissions = await permissionsOperation(this.context, { specs: [spec] }, role as RoleName);
    await this.show(permissions, FORMATS[this.flags.format as keyof typeof FORMATS](permissions));
  }
}
