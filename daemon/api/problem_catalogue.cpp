#include "problem_catalogue.hpp"

#include <array>

namespace cc::api {
namespace {

using enum ProblemType;

// An entry's status, retryable and retry_after are a promise to applications: change none of them.
constexpr std::array catalogue{
    ProblemEntry{malformed_request, "malformed-request", 400, "The request can't be read",
                 "请求无法解析", false, 0,
                 "Mend what invalidParams names: the HTTP message, the path's percent escapes, or "
                 "the JSON of the body. The same bytes will be refused again.",
                 "请按 invalidParams 修正 HTTP 报文、路径的百分号转义或请求体的 JSON，原样重发仍会"
                 "被拒绝。"},
    ProblemEntry{invalid_request, "invalid-request", 400,
                 "The request holds something that is not allowed", "请求参数不正确", false, 0,
                 "Mend every parameter that invalidParams names; all that are wrong are named at "
                 "once. Unknown parameters and members are refused too, so look for misspellings.",
                 "请修正 invalidParams 列出的全部参数（一次列全）；未知参数和字段也会被拒绝，请检查"
                 "拼写。"},
    ProblemEntry{
        no_line, "no-line", 400, "Nothing says which line shall call", "无法确定使用哪条坐席线路",
        false, 0,
        "Name an agent, a user that has a binding, or a caller whose phone is a line; or "
        "have agents added for the tenant. Names that contradict each other are refused "
        "as well.",
        "请指定 agent、已绑定的 user，或其电话即线路的 caller，也可为租户添加坐席；相互矛盾"
        "的指定同样会被拒绝。"},
    ProblemEntry{
        unknown_channel, "unknown-channel", 400, "The channel does not exist or is not yours",
        "渠道不存在或未授权", false, 0,
        "GET /v1/channels lists the codes that your tenant may use; leave `channel` out to "
        "let CC choose.",
        "GET /v1/channels 会列出本租户可用的渠道代码；不填 channel 则由系统选择。"},
    ProblemEntry{channel_unable, "channel-unable", 400,
                 "No channel that you may use can do what the call needs",
                 "可用渠道均不具备本次呼叫所需的能力", false, 0,
                 "`detail` says what each channel lacks: hiding a number, recording, limiting the "
                 "duration. Ask for less, name another channel, or have one opened that can.",
                 "detail 说明各渠道缺少的能力（隐藏号码、录音、限制时长）；请减少要求、换一个渠道，"
                 "或申请开通具备该能力的渠道。"},
    ProblemEntry{
        unauthorized, "unauthorized", 401, "A valid key is needed", "需要有效的密钥", false, 0,
        "Send \"Authorization: Bearer <key>\" with a key that has neither expired nor been "
        "revoked. Keys are handed out by whoever runs CC.",
        "请发送 \"Authorization: Bearer <密钥>\"，密钥须未过期且未吊销；密钥由运维人员发放。"},
    ProblemEntry{missing_scope, "missing-scope", 403,
                 "The key does not have the scope that this needs", "密钥没有所需的权限", false, 0,
                 "Use a key that has the scope named in `scope`, or ask whoever runs CC for one.",
                 "请使用具有 scope 所列权限的密钥，或向运维人员申请。"},
    ProblemEntry{
        address_not_allowed, "address-not-allowed", 403,
        "The key may not be used from this address", "该密钥不允许从此地址使用", false, 0,
        "Call from one of the key's networks, or have this address added to the key. If it "
        "comes unexpectedly, the key may have leaked: have it revoked.",
        "请从密钥允许的网络调用，或申请加入此地址；若并非您的调用，密钥可能已泄露，请尽快"
        "吊销。"},
    ProblemEntry{tenant_disabled, "tenant-disabled", 403, "The tenant is disabled", "租户已停用",
                 false, 0,
                 "Speak to whoever runs CC. Nothing that you change in the request helps.",
                 "请联系运维人员；修改请求无济于事。"},
    ProblemEntry{
        link_invalid, "link-invalid", 403, "This is no link that CC has given", "链接无效", false,
        0,
        "Use the whole URL as it was given, to its last character; or ask for a new one by POST "
        "/v1/calls/{callId}/recording/url.",
        "请使用签发时的完整 URL，不要改动任何字符；也可通过 POST /v1/calls/{callId}/recording/url "
        "重新获取。"},
    ProblemEntry{
        link_expired, "link-expired", 403, "The link's time is over", "链接已过期", false, 0,
        "Links are short-lived on purpose: ask for a new one when somebody wants to listen.",
        "链接有效期很短，请在需要收听时重新获取。"},
    ProblemEntry{not_found, "not-found", 404, "There is nothing at this path", "路径不存在", false,
                 0, "Compare the path with /openapi.json; ids in it must not be empty.",
                 "请对照 /openapi.json 检查路径；路径中的 id 不能为空。"},
    ProblemEntry{call_not_found, "call-not-found", 404, "There is no such call", "通话不存在",
                 false, 0,
                 "Check the id and whose key asks: calls of other tenants count as not there, and "
                 "so do those older than what is kept.",
                 "请检查 id 以及密钥所属租户：其他租户的通话和超过保存期限的通话均视为不存在。"},
    ProblemEntry{letter_not_found, "dead-letter-not-found", 404, "There is no such dead letter",
                 "死信不存在", false, 0,
                 "GET /v1/dead-letters lists those that you may see. Old ones are removed.",
                 "GET /v1/dead-letters 会列出可查看的死信；过旧的会被清除。"},
    ProblemEntry{agent_not_found, "agent-not-found", 404, "There is no such agent", "坐席不存在",
                 false, 0, "GET /v1/agents lists the tenant's lines; PUT makes a new one known.",
                 "GET /v1/agents 会列出本租户的线路；可用 PUT 新增。"},
    ProblemEntry{binding_not_found, "binding-not-found", 404, "There is no such binding",
                 "绑定关系不存在", false, 0,
                 "GET /v1/bindings lists the users that have one; PUT makes one.",
                 "GET /v1/bindings 会列出已绑定的用户；可用 PUT 新建。"},
    ProblemEntry{channel_not_found, "channel-not-found", 404, "There is no such channel",
                 "渠道不存在", false, 0,
                 "GET /v1/channels lists the codes that your tenant may use.",
                 "GET /v1/channels 会列出本租户可用的渠道代码。"},
    ProblemEntry{
        recording_not_ready, "recording-not-ready", 404, "The recording is not there yet",
        "录音尚未就绪", true, 60,
        "Repeat after Retry-After: channels have recordings ready minutes after the call. "
        "`expectedAt`, where it is given, says when; the record's `recording.state` becomes "
        "`stored`.",
        "请按 Retry-After 重试：渠道在通话结束数分钟后才生成录音；expectedAt（如有）为预计时间，"
        "就绪后记录的 recording.state 变为 stored。"},
    ProblemEntry{recording_none, "recording-none", 404, "The call has no recording",
                 "该通话没有录音", false, 0,
                 "`detail` says why. Only where `retryable` is true may one still come.",
                 "detail 说明原因；仅当 retryable 为 true 时以后仍可能有录音。"},
    ProblemEntry{problem_not_found, "problem-not-found", 404, "There is no problem of this name",
                 "没有此名称的错误类型", false, 0, "GET /problems lists them all.",
                 "GET /problems 会列出全部错误类型。"},
    ProblemEntry{method_not_allowed, "method-not-allowed", 405,
                 "The path does not know this method", "该路径不支持此方法", false, 0,
                 "Use one of the methods that the header Allow names.",
                 "请使用响应头 Allow 列出的方法。"},
    ProblemEntry{
        request_timeout, "request-timeout", 408, "The request did not arrive in time",
        "请求未能及时到达", true, 0,
        "Nothing was done. Send it again on a new connection; if it happens often, look at "
        "the network or proxy in between.",
        "请求未被处理，请用新连接重发；若频繁出现，请检查网络或代理。"},
    ProblemEntry{
        line_busy, "line-busy", 409, "The line is in a call", "坐席线路正在通话中", true, 5,
        "Repeat when the call in the way has ended: callId names it to a key that may read "
        "it. No call was made.",
        "未发起呼叫；请等占线的通话结束后重试，有读取权限的密钥可从 callId 得知是哪一通。"},
    ProblemEntry{
        line_offline, "line-offline", 409, "The line is not signed in", "坐席尚未签入", true, 5,
        "Have the seat signed in (PUT /v1/agents/{channel}/{agent} with desired online), or "
        "name another line. No call was made.",
        "未发起呼叫；请先让坐席签入（PUT /v1/agents/{channel}/{agent}，desired 为 online）"
        "或指定其他线路。"},
    ProblemEntry{
        recording_gone, "recording-gone", 410, "The recording has been deleted", "录音已删除",
        false, 0,
        "Its time was over; how long recordings are kept is set by whoever runs CC. Nothing "
        "brings it back.",
        "录音已超过保存期限（由运维人员设定），无法恢复。"},
    ProblemEntry{body_too_large, "body-too-large", 413, "The body is too large", "请求体过大",
                 false, 0,
                 "Send less: a body may have 64 KB unless whoever runs CC has set another limit.",
                 "请减小请求体：默认上限 64 KB，以运维人员的配置为准。"},
    ProblemEntry{target_too_long, "target-too-long", 414, "The request line is too long",
                 "请求行过长", false, 0,
                 "Shorten path and query: put fewer ids into one request, or use POST "
                 "/v1/calls/search.",
                 "请缩短路径和查询参数：减少一次请求的 id，或改用 POST /v1/calls/search。"},
    ProblemEntry{unsupported_media_type, "unsupported-media-type", 415, "The body must be JSON",
                 "请求体必须是 JSON", false, 0,
                 "Send Content-Type: application/json, in UTF-8, without Content-Encoding.",
                 "请发送 Content-Type: application/json，使用 UTF-8，且不带 Content-Encoding。"},
    ProblemEntry{
        range_not_satisfiable, "range-not-satisfiable", 416, "The file has no such bytes",
        "请求的范围超出文件", false, 0,
        "Content-Range says how long the file is; ask for a range that begins in it, or for "
        "the whole.",
        "Content-Range 给出文件长度，请请求其范围之内的字节，或请求整个文件。"},
    ProblemEntry{expectation_failed, "expectation-failed", 417, "The expectation can't be met",
                 "无法满足 Expect 要求", false, 0,
                 "Leave the header Expect out, or send 100-continue.",
                 "请去掉 Expect 请求头，或使用 100-continue。"},
    ProblemEntry{idempotency_key_reused, "idempotency-key-reused", 422,
                 "The idempotency key was used with another body", "幂等键已用于内容不同的请求",
                 false, 0,
                 "Use a new key for each new call, and the same key only to repeat the same body. "
                 "The first call stands.",
                 "每次新呼叫请使用新的幂等键，只有重发相同内容时才用原键；先前的呼叫不受影响。"},
    ProblemEntry{too_fast, "too-fast", 429, "Too many calls are asked for a second",
                 "呼叫请求频率超过限制", true, 1,
                 "Wait as long as Retry-After says, then repeat; spread requests over time. "
                 "No call was made.",
                 "未发起呼叫；请按 Retry-After 等待后重试，并将请求均匀分布。"},
    ProblemEntry{
        too_many_calls, "too-many-calls", 429, "Too many calls are under way at the same time",
        "并发呼叫数超过限制", true, 5,
        "Repeat when some calls have ended, or have the tenant's limit raised. No call was "
        "made.",
        "未发起呼叫；请等部分通话结束后重试，或申请提高租户的并发上限。"},
    ProblemEntry{too_many_exports, "too-many-exports", 429, "Too many exports run at the same time",
                 "同时进行的导出过多", true, 10,
                 "Repeat when an export has ended, or ask for the calls page by page.",
                 "请等其他导出结束后重试，或改用分页查询。"},
    ProblemEntry{header_too_large, "header-too-large", 431,
                 "The request line and headers are too large", "请求头过大", false, 0,
                 "Send fewer or shorter headers: together with the request line they may have "
                 "16 KB.",
                 "请减少或缩短请求头：连同请求行最多 16 KB。"},
    ProblemEntry{
        internal_error, "internal-error", 500, "CC made a mistake", "系统内部错误", false, 0,
        "Report it with the Request-Id, under which the log has more. Before repeating a "
        "POST, find out whether it was done.",
        "请将 Request-Id 报给运维人员（日志中有详情）；重发 POST 之前请先确认其是否已生效。"},
    ProblemEntry{channel_refused, "channel-refused", 502, "The channel refused the call",
                 "渠道拒绝了呼叫", false, 0,
                 "No phone rang; the call is stored and closed, callId has its record. channelCode "
                 "says what the channel minds: mend that before you make a new call.",
                 "电话未响，通话已保存并关闭，可用 callId 查询；请根据 channelCode 排除原因后再发起"
                 "新的呼叫。"},
    ProblemEntry{
        storage_unavailable, "storage-unavailable", 503,
        "CC can't store or read calls at the moment", "存储暂时不可用", true, 2,
        "Repeat after Retry-After; POST /v1/calls only with the same Idempotency-Key, as it "
        "may not be known whether the call was stored.",
        "请按 Retry-After 重试；POST /v1/calls 须使用相同的 Idempotency-Key 重试，因为可能"
        "无法确定通话是否已保存。"},
    ProblemEntry{
        no_channel, "no-channel", 503, "No channel can take the call at the moment",
        "当前没有可用渠道", true, 15,
        "No call was made. Repeat after Retry-After; GET /v1/channels says how each channel "
        "is and why.",
        "未发起呼叫；请按 Retry-After 重试，GET /v1/channels 会说明各渠道的状态和原因。"},
    ProblemEntry{
        not_ready, "not-ready", 503, "CC is not ready", "系统尚未就绪", true, 2,
        "Ask another daemon, or this one again after Retry-After; `detail` names the parts "
        "that are missing.",
        "请改用其他实例，或按 Retry-After 稍后重试；detail 会列出未就绪的部分。"},
    ProblemEntry{no_agents_key, "no-agents-key", 503,
                 "Passwords can't be kept: agents.key must be configured first",
                 "无法保存密码：请先配置 agents.key", false, 0,
                 "Whoever runs CC must set agents.key in cc.yaml; without it agents can be stored "
                 "only without a password.",
                 "须由运维人员在 cc.yaml 中配置 agents.key；在此之前只能保存不带密码的坐席。"},
    ProblemEntry{overloaded, "overloaded", 503, "Too many connections", "连接数过多", true, 1,
                 "Keep connections alive and share them instead of opening more, then repeat after "
                 "Retry-After.",
                 "请复用长连接而不要继续新建，并按 Retry-After 重试。"},
    ProblemEntry{
        outcome_unknown, "outcome-unknown", 504,
        "It is not known whether the channel placed the call", "渠道是否已发起呼叫未知", false, 0,
        "Don't repeat: phones may ring. Follow the call under callId until its record says "
        "how it ended.",
        "请勿重试，电话可能已经响铃；请用 callId 跟踪通话记录，直到得知结果。"},
};

}  // namespace

const ProblemEntry& entry_of(ProblemType type) noexcept {
  for (const ProblemEntry& entry : catalogue) {
    if (entry.type == type) return entry;
  }
  return catalogue.front();  // every type has its entry: a test says so
}

std::span<const ProblemEntry> problem_catalogue() noexcept {
  return catalogue;
}

const ProblemEntry* find_problem(std::string_view name) noexcept {
  for (const ProblemEntry& entry : catalogue) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace cc::api
