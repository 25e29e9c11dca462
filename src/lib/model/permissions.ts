/** Who works with a system. Each may do what the commands of its kind need, and no more. */
export const ROLES = ['viewer', 'applier', 'migrator', 'operator', 'worker', 'client'] as const;
export type RoleName = (typeof ROLES)[number];

/** What a user of a role must be allowed. */
export interface Permissions {
  readonly system: string;
  readonly role: RoleName;
  /** A name for the user. */
  readonly user: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** The commands that this is enough for. */
  readonly commands: readonly string[];
  /** What is worth knowing before it is handed out. */
  readonly notes: readonly string[];
}
