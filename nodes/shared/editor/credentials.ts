import { serverPublicKey } from './api';
import { field } from './elements';

/** What the editor puts in place of a secret that the runtime keeps. */
const KEPT = '__PWRD__';

/**
 * A secret of several lines, such as a key in PEM: the text area `lwm2m-<property>` takes a new one and never shows the one
 * that is kept, which stays unless another is typed or the button `lwm2m-<property>-remove` takes it away.
 */
export function prepareSecretText(property: string, placeholders: { empty: string; kept: string }): void {
  const kept = field(property);
  const shown = document.querySelector<HTMLTextAreaElement>(`#lwm2m-${property}`);
  const remove = document.querySelector<HTMLButtonElement>(`#lwm2m-${property}-remove`);
  if (!kept || !shown || !remove) return;
  const before = kept.value;
  const show = (): void => {
    shown.placeholder = kept.value === KEPT ? placeholders.kept : placeholders.empty;
    remove.disabled = kept.value === '';
  };
  shown.addEventListener('input', () => {
    kept.value = shown.value.trim() === '' ? before : shown.value;
    show();
  });
  remove.addEventListener('click', () => {
    kept.value = '';
    shown.value = '';
    show();
    shown.focus();
  });
  show();
}

/** Shows the public key of a deployed server, for those who make its devices. */
export function preparePublicKey(server: EditorNode): void {
  const shown = document.querySelector<HTMLTextAreaElement>('#lwm2m-publicKey');
  const copy = document.querySelector<HTMLButtonElement>('#lwm2m-publicKey-copy');
  const hint = document.getElementById('lwm2m-publicKey-hint');
  if (!shown || !copy || !hint) return;
  const say = (key: string): void => hint.replaceChildren(server._(`lwm2m-server.publicKey.${key}`));
  copy.disabled = true;
  copy.addEventListener('click', () => {
    RED.clipboard.copyText(shown.value, $(copy), 'clipboard.copyMessageValue');
  });
  void serverPublicKey(server.id).then((answer) => {
    const publicKey = 'data' in answer ? answer.data.publicKey : undefined;
    if (publicKey === undefined || publicKey === null) {
      say(publicKey === null ? 'off' : 'deployFirst');
      return;
    }
    shown.value = publicKey;
    copy.disabled = false;
    say('hint');
  });
}
