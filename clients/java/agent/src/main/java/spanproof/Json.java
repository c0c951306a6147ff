package spanproof;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.document.Document;
import software.amazon.awssdk.core.protocol.MarshallingType;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.traits.MapTrait;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.protocols.jsoncore.JsonWriter;
import software.amazon.awssdk.utils.builder.Buildable;

/**
 * JSON into the SDK's types, by what each type says of its members, as the SDK reads answers; and back
 * into text. The SDK reads requests from nowhere.
 */
final class Json {
    private Json() {}

    /** Sets the members that {@code object} has. */
    static void fill(SdkPojo builder, JsonNode object) {
        for (SdkField<?> field : builder.sdkFields()) {
            JsonNode member = object.asObject().get(field.locationName());
            if (member != null) {
                field.set(builder, value(field, member));
            }
        }
    }

    private static Object value(SdkField<?> field, JsonNode json) {
        MarshallingType<?> type = field.marshallingType();
        if (type == MarshallingType.SDK_POJO) {
            SdkPojo builder = field.constructor().get();
            fill(builder, json);
            return ((Buildable) builder).build();
        }
        if (type == MarshallingType.LIST) {
            SdkField<?> member = field.getTrait(ListTrait.class).memberFieldInfo();
            List<Object> list = new ArrayList<>();
            json.asArray().forEach(element -> list.add(value(member, element)));
            return list;
        }
        if (type == MarshallingType.MAP) {
            SdkField<?> member = field.getTrait(MapTrait.class).valueFieldInfo();
            Map<String, Object> map = new LinkedHashMap<>();
            json.asObject().forEach((name, element) -> map.put(name, value(member, element)));
            return map;
        }
        if (type == MarshallingType.STRING) {
            return json.asString();
        }
        if (type == MarshallingType.INTEGER) {
            return Integer.valueOf(json.asNumber());
        }
        if (type == MarshallingType.FLOAT) {
            return Float.valueOf(json.asNumber());
        }
        if (type == MarshallingType.DOCUMENT) {
            return document(json);
        }
        throw new IllegalArgumentException(
                "a request has the member " + field.memberName() + ", of a type unknown here");
    }

    private static Document document(JsonNode json) {
        if (json.isObject()) {
            Map<String, Document> members = new LinkedHashMap<>();
            json.asObject().forEach((name, member) -> members.put(name, document(member)));
            return Document.fromMap(members);
        }
        if (json.isArray()) {
            return Document.fromList(json.asArray().stream().map(Json::document).toList());
        }
        if (json.isString()) {
            return Document.fromString(json.asString());
        }
        if (json.isNumber()) {
            return Document.fromNumber(json.asNumber());
        }
        return json.isBoolean() ? Document.fromBoolean(json.asBoolean()) : Document.fromNull();
    }

    static byte[] bytes(JsonNode json) {
        JsonWriter writer = JsonWriter.create();
        write(writer, json);
        return writer.getBytes();
    }

    private static void write(JsonWriter writer, JsonNode json) {
        if (json.isObject()) {
            writer.writeStartObject();
            json.asObject().forEach((name, member) -> write(writer.writeFieldName(name), member));
            writer.writeEndObject();
        } else if (json.isArray()) {
            writer.writeStartArray();
            json.asArray().forEach(element -> write(writer, element));
            writer.writeEndArray();
        } else if (json.isString()) {
            writer.writeValue(json.asString());
        } else if (json.isNumber()) {
            writer.writeNumber(json.asNumber());
        } else if (json.isBoolean()) {
            writer.writeValue(json.asBoolean());
        } else {
            writer.writeNull();
        }
    }
}
