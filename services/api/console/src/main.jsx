import 'uplot/dist/uPlot.min.css';
import './style.css';
import { render } from 'preact';
import { giveToken, signIn, token } from './api.js';
import { switchLanguage, t } from './i18n.js';
import { connection, link, route, start, trouble } from './state.js';
import { Overview } from './pages/overview.jsx';
import { Customers } from './pages/customers.jsx';
import { Audiences } from './pages/audiences.jsx';
import { Definitions } from './pages/definitions.jsx';
import { DeadLetters } from './pages/dead_letters.jsx';

const pages = {
  overview: ['overview', Overview],
  customers: ['customers', Customers],
  audiences: ['audiences', Audiences],
  definitions: ['definitions', Definitions],
  'dead-letters': ['deadLetters', DeadLetters],
};

function SignIn() {
  const submit = (event) => {
    event.preventDefault();
    giveToken(new FormData(event.target).get('token').trim());
    start_once();
  };
  return (
    <div class="veil">
      <form class="card dialog" role="dialog" aria-modal="true" aria-label={t('signIn')} onSubmit={submit}>
        <h2>{t('signIn')}</h2>
        <p class="quiet">{t('tokenWhy')}</p>
        {signIn.value === 'refused' && <p class="bad">{t('tokenRefused')}</p>}
        <input name="token" type="password" autocomplete="off" placeholder={t('token')} aria-label={t('token')} autofocus required />
        <button class="primary">{t('signIn')}</button>
      </form>
    </div>
  );
}

function App() {
  const [name, Page] = pages[route.value.page] ?? pages.overview;
  document.title = `${t(name)} · Segue`;
  return (
    <>
      <header class="bar">
        <a class="brand" href={link('overview')}>
          <img src="/icon.svg" alt="" width="28" height="28" /> Segue
        </a>
        <nav>
          {Object.entries(pages).map(([page, [title]]) => (
            <a key={page} href={link(page)} aria-current={route.value.page === page ? 'page' : undefined}>
              {t(title)}
            </a>
          ))}
        </nav>
        <span class={`pulse ${connection.value}`} title={t(connection.value)}>
          {t(connection.value)}
        </span>
        <button class="plain" onClick={switchLanguage} id="language">
          {t('language')}
        </button>
      </header>
      {trouble.value && (
        <p class="trouble" role="alert">
          {t('error')}: {trouble.value.message}
        </p>
      )}
      <main>
        {/* What a page asked for without the right token it asks for again. */}
        <Page key={token.value} argument={route.value.argument} />
      </main>
      {signIn.value && <SignIn />}
    </>
  );
}

let started = false;
function start_once() {
  if (started) return;
  started = true;
  start();
}

render(<App />, document.getElementById('app'));
start_once();
