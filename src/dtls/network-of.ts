import { isIPv6 } from 'node:net';

/**
 * The network that an address is counted under: /24 of IPv4, /64 of IPv6, because that is what one attacker is given.
 * @param host an IP address literal; a zone index is ignored.
 */
export function networkOf(host: string): string {
  if (!isIPv6(host)) return host.slice(0, host.lastIndexOf('.'));
  const [address = ''] = host.split('%');
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    // An IPv4 address at the end stands for two groups.
    const length = after.length + (tail.includes('.') ? 1 : 0);
    while (groups.length + length < 8) groups.push('0');
    groups.push(...after);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .concat('')
    .join(':');
}
