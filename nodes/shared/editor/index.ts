/**
 * What the dialogs of all our nodes share. The build puts this once into the editor's page (that of lwm2m-server) and
 * turns each import of it by a node's editor.ts into a call there, so it exports functions only.
 */
export { prepareAttributes } from './attributes';
export { prepareCheckList, readCheckList } from './check-list';
export { preparePublicKey, prepareSecretText } from './credentials';
export { explainChoice } from './explain-choice';
export { nodeLabel, nodeLabelStyle } from './labels';
export { preparePath, preparePathList, readPathList } from './path-picker';
export { prepareTarget } from './target-picker';
export { prepareRecordList, readRecordList } from './record-list';
export { text } from './text';
export {
  validAccess,
  validAttribute,
  validConditions,
  validInteger,
  validPath,
  validPaths,
  validPort,
  validSecurity,
  validServerUri,
  validTarget,
  validTypedInput,
} from './validators';
