import { signal } from '@preact/signals';

// One entry a text: [English, Chinese]. {0}, {1} are replaced.
const texts = {
  overview: ['Overview', '总览'],
  customers: ['Customers', '客户'],
  audiences: ['Audiences', '人群'],
  definitions: ['Definitions', '规则'],
  deadLetters: ['Dead letters', '坏数据'],
  partitions: ['Partitions', '分区'],
  live: ['live', '实时'],
  connecting: ['connecting …', '连接中……'],
  signIn: ['Sign in', '登录'],
  token: ['Access token', '访问令牌'],
  tokenWhy: [
    'This service asks for a token. It stays in this tab and is forgotten when the tab closes.',
    '此服务需要访问令牌。令牌只保存在当前标签页,关闭后即清除。',
  ],
  tokenRefused: ['This token was refused.', '令牌无效。'],
  lifecycle: ['Customers in one loop', '客户全生命周期'],
  lifecycleHint: ['Moves between the stages as they happen', '阶段流转，实时发生'],
  lastMinutes: ['last {0} min', '近{0}分钟'],
  users: ['customers', '位客户'],
  usersTotal: ['Customers', '客户总数'],
  eventsPerSecond: ['Events per second', '每秒事件数'],
  lag: ['Lag', '积压'],
  lagRecords: ['records behind', '条待处理'],
  lagBytes: ['bytes behind', '字节待处理'],
  replaying: ['replaying', '重放中'],
  running: ['running', '运行中'],
  clock: ['Event clock', '事件时钟'],
  clockLag: ['behind now', '落后当前时间'],
  movesSince: ['Moves in this window', '窗口内流转'],
  sinceOpened: ['since this page was opened', '自打开本页起'],
  feed: ['What is happening', '实时动态'],
  feedEmpty: ['Nothing moved since this page was opened.', '打开页面以来暂无流转。'],
  move: ['move', '流转'],
  entered: ['entered', '进入'],
  left: ['left', '离开'],
  tagged: ['tagged', '打标'],
  untagged: ['untagged', '去标'],
  erased: ['erased', '已删除'],
  causeEvent: ['by an event', '由事件触发'],
  causeTimer: ['by time', '到期自动触发'],
  causeDefinitions: ['by new definitions', '由新规则触发'],
  gap: ['The stream was away for too long: some transitions are not shown', '连接中断过久，部分动态未显示'],
  findCustomer: ['Customer id', '客户 ID'],
  find: ['Find', '查找'],
  findHint: ['Type the id under which your shop knows the customer.', '输入商城系统中的客户 ID。'],
  recent: ['Something just happened to', '刚刚有动态的客户'],
  notFound: ['No customer with this id.', '没有此 ID 的客户。'],
  stageSince: ['since {0}', '自 {0}'],
  why: ['Why', '原因'],
  leavesAt: ['changes at {0} unless something happens', '若无新行为，将于 {0} 变化'],
  leavesTo: ['becomes {1} at {0} unless something happens', '若无新行为，将于 {0} 变为「{1}」'],
  whyMoves: ['What would move this customer on', '接下来的流转条件'],
  whySets: ['Segments and tags that hold, condition by condition', '所在的分组与标签，逐条判定'],
  whyMore: ['{0} more that hold', '还有 {0} 项成立'],
  whyNot: ['{0} that do not hold, and why not', '{0} 项不成立及原因'],
  feedAll: ['all', '全部'],
  feedMoves: ['moves only', '仅流转'],
  showMore: ['Show more ({0})', '显示更多（{0}）'],
  on: ['on {0}', '行为：{0}'],
  unknownValue: ['not known', '未知'],
  neverByTime: ['does not change by time alone', '不会随时间自动变化'],
  segments: ['Segments', '人群分组'],
  tags: ['Tags', '标签'],
  none: ['none', '无'],
  orders: ['Orders', '订单数'],
  spend: ['Spend', '消费额'],
  lastSeen: ['Last seen', '最近访问'],
  lastPurchase: ['Last purchase', '最近购买'],
  never: ['never', '从未'],
  affinities: ['Interests', '兴趣偏好'],
  category: ['Categories', '类目'],
  brand: ['Brands', '品牌'],
  item: ['Items', '商品'],
  timeline: ['Timeline', '时间线'],
  timelineHint: ['Stage moves that the profile remembers, newest first', '画像记住的阶段流转，最新在前'],
  earlier: ['Earlier moves are in the transition log only.', '更早的流转只保留在流转日志中。'],
  similar: ['Similar customers', '相似客户'],
  traits: ['Traits', '属性'],
  cart: ['Cart', '购物车'],
  rawJson: ['Raw JSON', '原始 JSON'],
  counters: ['Activity', '行为次数'],
  holds: ['holds', '成立'],
  holdsNot: ['does not hold', '不成立'],
  audienceHint: ['Who is in … right now? Counts are exact.', '此刻有哪些人？人数精确。'],
  expression: ['Expression', '表达式'],
  include: ['and', '且'],
  either: ['or', '或'],
  exclude: ['and not', '且非'],
  addCondition: ['Pick a stage, segment or tag', '选择阶段、分组或标签'],
  stages: ['Stages', '阶段'],
  count: ['customers match', '位客户符合'],
  ofAll: ['{0} of all', '占全部 {0}'],
  sample: ['Members', '成员'],
  more: ['More', '更多'],
  exportNdjson: ['Export NDJSON', '导出 NDJSON'],
  exportCsv: ['Export CSV', '导出 CSV'],
  clear: ['Clear', '清空'],
  filter: ['Filter …', '筛选……'],
  inForce: ['In force', '生效中'],
  draft: ['Draft', '草稿'],
  checkOk: ['No mistake found.', '没有错误。'],
  mistakes: ['{0} mistakes', '{0} 处错误'],
  oneMistake: ['1 mistake', '1 处错误'],
  preview: ['Preview on the recorded log', '用历史日志预览'],
  previewRunning: ['Replaying the recorded log under both …', '正在用两套规则重放历史日志……'],
  previewWhat: ['What would have changed', '历史上会有哪些不同'],
  previewSame: ['Every customer would stand in the same stage.', '所有客户所处阶段都不变。'],
  previewHint: [
    'Change the definitions, then preview: the recorded log is replayed with both, and you see who would stand elsewhere. Nothing is changed by that.',
    '修改规则后点击预览：系统用新旧两套规则重放历史日志，显示哪些客户会处于不同阶段。预览不会改变任何数据。',
  ],
  previewFlow: ['From where to where', '从哪里到哪里'],
  previewUsers: ['{0} of {1} customers would stand in another stage', '{1} 位客户中有 {0} 位会处于不同阶段'],
  cancel: ['Cancel', '取消'],
  movesMade: ['Moves made', '流转次数'],
  before: ['in force', '现行'],
  after: ['draft', '草稿'],
  difference: ['difference', '差异'],
  examples: ['Examples', '示例'],
  standing: ['Where customers stand at the end', '最终所处阶段'],
  activate: ['Bring into force', '启用草稿'],
  activateSure: ['Bring this draft into force? Every customer is evaluated again.', '启用此草稿？所有客户将重新评估。'],
  activated: ['In force now. Every customer is being evaluated.', '已启用，正在重新评估所有客户。'],
  changedMeanwhile: [
    'Somebody else brought other definitions into force since you began. Keep a copy of your draft, go back to what is in force, and change that.',
    '在您编辑期间，其他人已启用了另一套规则。请保存草稿副本，恢复为现行规则后再修改。',
  ],
  notEditable: [
    'With Kafka each engine reads its own file of definitions: change it there. Here drafts can be checked.',
    'Kafka 模式下，规则由各引擎自己的文件决定，请在文件中修改；此处可以检查草稿。',
  ],
  revert: ['Back to what is in force', '恢复为现行规则'],
  sweepLeft: ['{0} customers still to be evaluated', '还有 {0} 位客户待评估'],
  deadHint: ['Records that could not be used, and why. Nothing is lost: each is kept as it was.', '无法使用的记录及原因。原始内容完整保留，不会丢失。'],
  deadNone: ['Every record could be used.', '所有记录均可用。'],
  samples: ['Newest samples', '最新样本'],
  offset: ['offset', '位置'],
  partition: ['partition', '分区'],
  lineNumber: ['line {0}', '第 {0} 行'],
  all: ['all', '全部'],
  loading: ['Loading …', '加载中……'],
  nobody: ['Nobody at the moment.', '目前没有符合的客户。'],
  reason_invalid_json: ['Not JSON', '不是合法的 JSON'],
  reason_invalid_utf8: ['Not UTF-8', '不是合法的 UTF-8'],
  reason_not_an_object: ['JSON, but not an object', '是 JSON，但不是对象'],
  reason_missing_event_id: ['event_id is missing', '缺少 event_id'],
  reason_missing_user_id: ['user_id is missing', '缺少 user_id'],
  reason_unknown_type: ['Unknown type of event', '未知的事件类型'],
  reason_invalid_ts: ['ts is not a time', 'ts 不是有效时间'],
  reason_invalid_price: ['Invalid price', '价格无效'],
  reason_invalid_quantity: ['Invalid quantity', '数量无效'],
  reason_invalid_field: ['A field has the wrong type', '字段类型错误'],
  reason_field_too_long: ['A text is too long', '文本过长'],
  reason_too_many_items: ['Too many items or traits', '商品或属性过多'],
  reason_amount_too_large: ['Price times quantity is too large', '金额过大'],
  reason_record_too_large: ['The record is too large', '记录过大'],
  reason_from_the_future: ['From the future', '时间在未来'],
  reason_invalid_protobuf: ['Not protobuf', '不是合法的 protobuf'],
  type_view: ['views', '浏览'],
  type_search: ['searches', '搜索'],
  type_click: ['clicks', '点击'],
  type_cart: ['adds to the cart', '加购'],
  type_cart_remove: ['removals from the cart', '移出购物车'],
  type_favorite: ['favourites', '收藏'],
  type_checkout: ['checkouts', '结算'],
  type_purchase: ['purchases', '购买'],
  type_refund: ['refunds', '退款'],
  type_review: ['reviews', '评价'],
  type_share: ['shares', '分享'],
  type_identify: ['profile updates', '资料更新'],
  type_coupon_redeem: ['coupons redeemed', '用券'],
  type_message_sent: ['messages sent', '消息送达'],
  type_message_opened: ['messages opened', '消息打开'],
  type_message_clicked: ['messages clicked', '消息点击'],
  error: ['That did not work', '操作失败'],
  retry: ['Try again', '重试'],
  language: ['中文', 'English'],
  state: ['state', '状态'],
  position: ['position', '位置'],
  commits: ['commits', '提交'],
  notHere: ['Not available in this mode', '此模式下不可用'],
};

const stored = () => {
  try {
    return localStorage.getItem('segue.language');
  } catch {
    return null;
  }
};
export const language = signal(stored() || (navigator.language.startsWith('zh') ? 'zh' : 'en'));
language.subscribe((now) => {
  document.documentElement.lang = now;
});

export const switchLanguage = () => {
  language.value = language.value === 'zh' ? 'en' : 'zh';
  try {
    localStorage.setItem('segue.language', language.value);
  } catch {
    // A browser without storage asks again next time.
  }
};

export const t = (key, ...values) => {
  const text = texts[key]?.[language.value === 'zh' ? 1 : 0] ?? key;
  return values.reduce((out, value, i) => out.replaceAll(`{${i}}`, value), text);
};

const locale = () => (language.value === 'zh' ? 'zh-CN' : 'en-GB');
export const number = (value, options) => new Intl.NumberFormat(locale(), options).format(value);
export const short = (value) => number(value, { notation: value >= 1e5 ? 'compact' : 'standard', maximumFractionDigits: 1 });
export const percent = (value) => number(value, { style: 'percent', maximumFractionDigits: value < 0.1 ? 1 : 0 });
export const time = (ms) => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium' }).format(ms);
export const clockTime = (ms) => new Intl.DateTimeFormat(locale(), { timeStyle: 'medium' }).format(ms);
export const duration = (ms) => {
  const units = [
    [86400e3, 'day'],
    [3600e3, 'hour'],
    [60e3, 'minute'],
    [1e3, 'second'],
  ];
  const [size, unit] = units.find(([size]) => ms >= size) ?? units[3];
  return number(ms / size, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: ms < 10 * size ? 1 : 0 });
};
