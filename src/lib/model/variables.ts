/** The environment variable of a flag, by one rule: `--allow-replace` is `OSAPI_OPS_ALLOW_REPLACE`. */
export const variableOf = (flag: string): string => `OSAPI_OPS_${flag.toUpperCase().replaceAll('-', '_')}`;

/** Whether a variable sets a flag that takes no value, as oclif reads it. */
export const isYes = (value = ''): boolean => ['1', 'true', 'y', 'yes'].includes(value.toLowerCase());
