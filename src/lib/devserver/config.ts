/** One nats-server process: what is its own, and what it shares with the others of its cluster. */
export interface NodeConfig {
  readonly name: string;
  readonly port: number;
  readonly monitorPort: number;
  /** The directory of its streams; absent where JetStream is off. */
  readonly store?: string;
  readonly cluster?: { readonly port: number; readonly routes: readonly number[] };
  /** Lines of nats-server configuration to append as they stand. */
  readonly extra?: string;
}

/** The server's configuration file. Every listener is on loopback: a development server is nobody else's business. */
export function configText(node: NodeConfig): string {
  const listen = (port: number): string => JSON.stringify(`127.0.0.1:${port}`);
  const lines = [
    `server_name: ${JSON.stringify(node.name)}`,
    `listen: ${listen(node.port)}`,
    `http: ${listen(node.monitorPort)}`,
  ];
  if (node.store) lines.push(`jetstream: { store_dir: ${JSON.stringify(node.store)} }`);
  if (node.cluster) {
    const routes = node.cluster.routes.map((port) => JSON.stringify(`nats://127.0.0.1:${port}`));
    lines.push(`cluster: { name: "osapi-dev", listen: ${listen(node.cluster.port)}, routes: [${routes.join(', ')}] }`);
  }
  if (node.extra) lines.push(node.extra);
  return `${lines.join('\n')}\n`;
}
