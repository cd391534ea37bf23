// What Jiuyun sends: the three samples of channels.md, and how tests make their own.
#pragma once

#include <string>
#include <string_view>

#include "envelope.hpp"

namespace cc::test {

inline constexpr std::string_view e9_app = "feff3cbd52c041a1bd5b0492bee56423";
inline constexpr std::string_view e9_call = "420d9ec4557f4eeabfb003983d5b2049";

inline constexpr std::string_view e9_invite =
    "<?xml version='1.0'?><req><action>CallInvite</action><type>1</type>"
    "<appId>feff3cbd52c041a1bd5b0492bee56423</appId><caller>13912345678</caller>"
    "<called>13812345678</called><userFlag>0</userFlag><subType>0</subType>"
    "<callId>420d9ec4557f4eeabfb003983d5b2049</callId><dateCreated>20160324175622</dateCreated>"
    "<userData>abcdef</userData></req>";

inline constexpr std::string_view e9_establish =
    "<?xml version='1.0'?><req><action>CallEstablish</action><type>1</type>"
    "<appId>feff3cbd52c041a1bd5b0492bee56423</appId><caller>13912345678</caller>"
    "<called>13812345678</called><subType>0</subType>"
    "<callId>420d9ec4557f4eeabfb003983d5b2049</callId><dateCreated>20160324175652</dateCreated>"
    "<userData>{\"test\":\"test\"}</userData></req>";

inline constexpr std::string_view e9_hangup =
    "<?xml version='1.0'?><req><action>Hangup</action><type>1</type>"
    "<appId>feff3cbd52c041a1bd5b0492bee56423</appId><caller>13912345678</caller>"
    "<called>13812345678</called><subType>0</subType>"
    "<callId>420d9ec4557f4eeabfb003983d5b2049</callId><dateCreated>20160324180031</dateCreated>"
    "<userData>{\"test\":\"test\"}</userData><startTimeA>20160324180016</startTimeA>"
    "<startTimeB>20160324180022</startTimeB><endTime>20160324180031</endTime>"
    "<duration>9</duration><recordUrl></recordUrl><byeType>200</byeType></req>";

inline constexpr std::string_view e9_hangup_json =
    R"({"action":"Hangup","type":1,"appId":"feff3cbd52c041a1bd5b0492bee56423",)"
    R"("caller":"13912345678","called":"13812345678","subType":0,)"
    R"("callId":"420d9ec4557f4eeabfb003983d5b2049","dateCreated":"20160324180031",)"
    R"("userData":"cc1.123.1","startTimeA":"20160324180016","startTimeB":"20160324180022",)"
    R"("endTime":"20160324180031","duration":9,"recordUrl":"","byeType":0})";

inline constexpr std::string_view e9_query_answer =
    R"({"resp":{"statusCode":"000000","callNotify":{"action":"Hangup","type":1,)"
    R"("appId":"feff3cbd52c041a1bd5b0492bee56423","caller":"13912345678","called":"13812345678",)"
    R"("callId":"420d9ec4557f4eeabfb003983d5b2049","dateCreated":"20160324180031",)"
    R"("userData":"cc1.123.1","startTimeA":"20160324180016","startTimeB":"20160324180022",)"
    R"("endTime":"20160324180031","duration":9,"recordUrl":"http://r.example/1.mp3","byeType":0}}})";

// 2016-03-24 17:56:22 in Beijing.
inline constexpr std::int64_t e9_invite_ms = 1'458'813'382'000;

inline Delivery e9_delivery(std::string_view body, Source source = Source::callback,
                            std::string_view subject = {}) {
  Delivery delivery;
  delivery.channel = "e9";
  delivery.received_ms = e9_invite_ms + 500;
  delivery.source = source;
  delivery.subject = subject;
  delivery.body = body;
  return delivery;
}

/// The text with its first `from` replaced.
inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const auto at = out.find(from);
  if (at != std::string::npos) out.replace(at, from.size(), to);
  return out;
}

}  // namespace cc::test
