import { t } from '../i18n.js';

export function Trouble({ error, retry }) {
  return (
    <p class="trouble" role="alert">
      {t('error')}: {error.status === 409 ? t('notHere') : error.message}{' '}
      {retry && (
        <button class="plain" onClick={retry}>
          {t('retry')}
        </button>
      )}
    </p>
  );
}

export function Loading() {
  return (
    <p class="quiet centre working" role="status">
      {t('loading')}
    </p>
  );
}
