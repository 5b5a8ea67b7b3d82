/** Node-RED's core nodes have no types. */
declare module '@node-red/nodes/core/sequence/17-split.js' {
  import type { NodeAPI } from 'node-red';
  const register: (RED: NodeAPI) => void;
  export default register;
}
