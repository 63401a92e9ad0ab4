import java.util.TreeMap;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;

/** Prints every property of Java's producer and its default, with a tab between; "-" if it has none. */
public class Defaults {
    public static void main(String[] args) {
        for (var e : new TreeMap<>(ProducerConfig.configDef().configKeys()).entrySet()) {
            ConfigDef.ConfigKey key = e.getValue();
            if (key.internalConfig) {
                continue;
            }
            String value = key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null;
            System.out.println(e.getKey() + "\t" + (value == null || value.isEmpty() ? "-" : value));
        }
    }
}
